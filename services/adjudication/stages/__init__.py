"""The stages a procedure is made of: one module each; `registry` lists them."""
