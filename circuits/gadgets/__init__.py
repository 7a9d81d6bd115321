"""Gadgets: pieces of circuits that say exactly what they constrain, what they do not, and what they cost."""
