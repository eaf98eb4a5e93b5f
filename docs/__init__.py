"""The documentation, and the script that keeps what it quotes true."""
