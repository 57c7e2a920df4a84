// A CommonJS module that throws, with microtasks behind it.
queueMicrotask(() => queueMicrotask(() => console.log('second microtask')));
throw new Error('fails');
