"""What the machine and the servers can do when nothing but one thing is asked of them."""
