"""What `pointsman demo` shows: a month that was, and traffic that goes on."""
