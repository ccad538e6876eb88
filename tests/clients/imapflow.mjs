// imapflow and nodemailer: send, watch IDLE, read, flag, move. Prints one JSON line; exits 1 with the reason otherwise.
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';
import { readFileSync } from 'node:fs';

const setup = JSON.parse(readFileSync(0, 'utf8'));
const tls = { ca: readFileSync(setup.ca), servername: setup.hostname };

const client = new ImapFlow({
  host: '127.0.0.1', port: setup.imaps, secure: true, tls, logger: false,
  auth: { user: setup.bob.address, pass: setup.bob.password },
});
await client.connect();
const lock = await client.getMailboxLock('INBOX');
const before = client.mailbox.exists;
const arrived = new Promise((resolve) => client.on('exists', (news) => resolve(news)));
client.idle().catch(() => {});

const transport = nodemailer.createTransport({
  host: '127.0.0.1', port: setup.submission, secure: false, requireTLS: true, tls,
  auth: { user: setup.alice.address, pass: setup.alice.password },
});
const sent = await transport.sendMail({
  from: setup.alice.address, to: setup.bob.address, subject: `${setup.mark} 季度报告`,
  text: 'plain 正文', html: '<p>html 正文</p>',
  attachments: [{ filename: '报告.txt', content: Buffer.alloc(200000, 'x') }],
});
const news = await arrived;
if (news.count !== before + 1) throw new Error(`EXISTS ${news.count}, wanted ${before + 1}`);

const uids = await client.search({ subject: setup.mark }, { uid: true });
if (uids.length !== 1) throw new Error(`SEARCH found ${uids}`);
const one = await client.fetchOne(uids[0], { envelope: true, bodyStructure: true, flags: true, size: true }, { uid: true });
const part = await client.download(uids[0], '2', { uid: true });
let octets = 0;
for await (const chunk of part.content) octets += chunk.length;
await client.messageFlagsAdd(uids[0], ['\\Flagged', 'weekly'], { uid: true });
await client.messageMove(uids[0], 'Archive', { uid: true });
lock.release();
const archive = await client.getMailboxLock('Archive');
const moved = await client.search({ subject: setup.mark, flagged: true, keyword: 'weekly' }, { uid: true });
archive.release();
const quota = (await client.list()).map((box) => box.specialUse).filter(Boolean);
await client.logout();
console.log(JSON.stringify({
  subject: one.envelope.subject, parts: one.bodyStructure.childNodes.length, attachment: octets, moved: moved.length,
  uses: quota, response: sent.response, file: one.bodyStructure.childNodes[1].dispositionParameters.filename,
}));
