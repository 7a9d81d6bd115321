"""The obvious twin of each kernel: plain integers, written to be read and to test the fast one against."""
