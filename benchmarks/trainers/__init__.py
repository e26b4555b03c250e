"""One file per way of training the chapter's models. Each has `trainer(problem, table, ...)`."""
