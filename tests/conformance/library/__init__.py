"""What the specification uses of others' libraries: text, JSON, `hspec`, `hspec-wai`, and its own helpers."""
