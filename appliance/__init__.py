"""An OpenID Provider run from a directory of configuration.

The floors of this package look down only, never sideways: protocol, resources, seams, then jose,
config and outbound, then parts, profile, endpoints, pages, assembly, server, and cli and demo on top.
"""

__version__ = "0.1.0"
