throw new Error('throws');
