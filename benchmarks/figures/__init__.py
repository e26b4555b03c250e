"""One file per figure. Each holds its contenders, its targets and what is measured."""
