"""What is asked: files of users become frozen, closed, checked values."""
