"""What the tests of the specifications share."""
