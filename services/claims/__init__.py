"""Claims: the register of covers, filings, and a claim's life until it is paid."""
