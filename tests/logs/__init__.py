"""What is logged, where, and in which form."""
