"""The first five minutes: the example served with a relying party, an empty folder made a configuration.

Called by the command line. No part of the provider: the relying party knows its public face only.
"""
