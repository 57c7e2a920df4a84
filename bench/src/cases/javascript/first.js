console.log('the first line');
