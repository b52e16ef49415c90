"""Password hashes: argon2id in processes of their own. This file imports nothing, because those processes read it."""
