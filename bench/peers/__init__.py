"""Other programs that do such work, as their own guides have them set up."""
