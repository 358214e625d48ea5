"""Data for the training of kick generators: samples gathered from folders, and what is made of them."""
