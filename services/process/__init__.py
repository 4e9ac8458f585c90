"""One service as a process on Kafka: `adjudex run SERVICE`, with Faust as the shell around the kernel's loop."""
