"""The nouns: frozen dataclasses and pure rules. Standard library only."""
