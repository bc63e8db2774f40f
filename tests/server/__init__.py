"""The server room over real sockets, real files and a real build process."""
