"""What cronq does on this machine, beside what the machine itself can do, and beside its peers."""
