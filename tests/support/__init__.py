"""What tests drive the provider with: a directory an operator could have written, assembled in process.

Clock and entropy are injected: time moves when a test moves it, and nothing sleeps.
"""
