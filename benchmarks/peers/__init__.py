"""What people do today, each as a script of its own."""
