// What imapflow sees through a client password with limits: mailboxes, INBOX, and every part of its messages.
import { ImapFlow } from "imapflow";
import { readFileSync } from "node:fs";

const setup = JSON.parse(readFileSync(0, "utf8"));
const client = new ImapFlow({
  host: "127.0.0.1", port: setup.port, secure: true, servername: setup.name, logger: false,
  tls: { ca: readFileSync(setup.ca) }, auth: { user: setup.user, pass: setup.pass },
});
const leaves = (node) => (node.childNodes ? node.childNodes.flatMap(leaves) : [node]);
const whole = async (stream) => {
  const pieces = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
};

await client.connect();
const seen = { mailboxes: (await client.list()).map((box) => [box.path, [...box.flags].includes("\\Noselect")]), messages: [] };
const box = await client.mailboxOpen("INBOX");
seen.exists = box.exists;
seen.readOnly = Boolean(box.readOnly);
for await (const m of client.fetch("1:*", { uid: true, size: true, bodyStructure: true, source: true })) {
  seen.messages.push({ uid: m.uid, size: m.size, source: m.source.toString("latin1"), parts: leaves(m.bodyStructure) });
}
for (const m of seen.messages) {
  for (const part of m.parts) {
    const { content } = await client.download(String(m.uid), part.part, { uid: true });
    part.text = (await whole(content)).toString("utf8");
  }
}
seen.deleted = await client.messageDelete("1:*").catch(() => false);
seen.flagged = await client.messageFlagsAdd("1:*", ["\\Flagged"]).catch(() => false);
await client.logout();
console.log(JSON.stringify(seen));
