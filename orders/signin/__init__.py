"""How people prove who they are: wrong attempts, second factors, and sessions that end."""
