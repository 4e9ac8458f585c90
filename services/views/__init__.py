"""The read model: every log folded into SQL, in versions, so that any moment of a space can be read again."""
