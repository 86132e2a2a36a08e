// Prints what the TypeScript SDK answers to each delivery on stdin: `node typescript.mjs <the package's folder>`.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const folder = process.argv[2];
const entry = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')).exports['.'].import;
const { validateWebhook } = await import(pathToFileURL(`${folder}/${entry}`));

const answers = {};
for (const delivery of JSON.parse(readFileSync(0, 'utf8'))) {
    Date.now = () => delivery.now * 1000;
    const body = new Uint8Array(Buffer.from(delivery.body, 'base64'));
    try {
        const options = { maxAgeSeconds: delivery.max_age };
        const { valid, error } = await validateWebhook(body, delivery.headers, delivery.secret, options);
        answers[delivery.name] = valid ? { valid } : { valid, error };
    } catch (error) {
        answers[delivery.name] = { crash: error.constructor.name };
    }
}
console.log(JSON.stringify(answers));
