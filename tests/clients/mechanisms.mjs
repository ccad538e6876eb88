// imapflow by OAUTHBEARER and XOAUTH2, nodemailer by XOAUTH2 and CRAM-MD5. Prints one JSON line; exits 1 with the reason otherwise.
import { ImapFlow } from 'imapflow';
import nodemailer from 'nodemailer';
import { readFileSync } from 'node:fs';

const setup = JSON.parse(readFileSync(0, 'utf8'));
const tls = { ca: readFileSync(setup.ca), servername: setup.hostname };

async function open(auth) {
  const lines = [];
  const log = (entry) => { if (entry.src === 'c' && entry.msg) lines.push(entry.msg.split(' ').slice(1, 3).join(' ')); };
  const logger = { debug: log, info: log, warn: log, error: log };
  const client = new ImapFlow({ host: '127.0.0.1', port: setup.imaps, secure: true, tls, auth, logger });
  try {
    await client.connect();
    await client.logout();
    return lines.find((line) => line.startsWith('AUTHENTICATE')) || 'no AUTHENTICATE';
  } catch (error) {
    return error.authenticationFailed ? 'refused' : String(error);
  } finally {
    client.close();
  }
}

async function send(auth, authMethod) {
  const transport = nodemailer.createTransport({
    host: '127.0.0.1', port: setup.submission, secure: false, requireTLS: true, tls, auth, authMethod,
  });
  try {
    return (await transport.sendMail({ from: setup.user, to: setup.user, subject: setup.mark, text: 'x' })).response;
  } catch (error) {
    return String(error.responseCode);
  } finally {
    transport.close();
  }
}

const token = { user: setup.user, accessToken: setup.token };
const bad = { user: setup.user, accessToken: setup.token.slice(0, -2) + 'xx' };
console.log(JSON.stringify({
  imap: await open(token),
  imapWrong: await open(bad),
  imapPassword: await open({ user: setup.user, pass: setup.password }),
  smtp: await send({ type: 'OAuth2', ...token }),
  smtpWrong: await send({ type: 'OAuth2', ...bad }),
  cram: await send({ user: setup.user, pass: setup.cram }, 'CRAM-MD5'),
}));
