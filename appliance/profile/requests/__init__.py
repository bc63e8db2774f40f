"""The forms in which a request may come beside plain parameters: pushed, signed, by reference, without a browser."""
