"""What an operation costs: CPU time of the server process, against a floor measured in the same run."""
