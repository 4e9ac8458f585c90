"""The services of Adjudex: decision services, their kernel, and the edges."""
