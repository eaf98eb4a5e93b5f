"""What is in an account: jobs, costs, failures, permissions."""
