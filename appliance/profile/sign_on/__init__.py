"""The user in his browser: sessions, what he has proved, what comes next, what he consented to."""
