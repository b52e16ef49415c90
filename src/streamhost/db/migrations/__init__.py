"""The schema of the catalog, step by step; a step that has been released is never changed."""
