import 'node:events';
await new Promise((settle) => setTimeout(settle, 1));
