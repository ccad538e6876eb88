"""The password or the name as typed. The server is in order and says what servers say to a wrong password; why it is wrong could
be seen before."""
from lab.scripted import PASSWORD
from lab.states.book import state

DOVECOT = "dovecot-auth-failed"  # what the reply alone means
REFUSED = {"cause": "name-form", "alternative": DOVECOT}


def typed(name, en, zh, verdict, password, **more):
    """`password` is what was typed; what the server knows is another one."""
    @state(name, en, zh, verdict, **{**REFUSED, **more})
    def build(bench):
        bench.password = password
        bench.imap()


typed("password-trailing-blank", "a blank was copied behind the password", "密码后面多复制了一个空格",
      "input-leading-trailing-space", PASSWORD + " ")
typed("password-leading-blank", "a blank was copied before the password", "密码前面多复制了一个空格",
      "input-leading-trailing-space", "\u00a0" + PASSWORD)
typed("password-full-width", "the password was typed in full-width letters", "密码用全角字符输入",
      "input-full-width", "ｌａｂ-Quartz-71-meadow")
typed("password-six-digits", "a one-time code was typed as the password", "把一次性验证码当作密码输入",
      "input-totp-as-password", "481920")
typed("password-caps-lock", "Caps Lock was on", "大写锁定键处于打开状态", "input-caps-lock", "qUARTZ-71-MEADOW")
typed("password-zero-width", "an invisible sign was copied along", "复制时带上了不可见字符",
      "input-zero-width", PASSWORD[:5] + "\u200b" + PASSWORD[5:])
typed("password-cyrillic", "a letter of another alphabet looks the same", "混入了外形相同的其他字母",
      "input-homoglyph", PASSWORD.replace("a", "\u0430"))
typed("password-smart-quotes", "a text program changed the dashes", "文字处理软件替换了连字符",
      "input-smart-quotes", PASSWORD.replace("-", "\u2013"))
typed("password-latin1", "the password file is not UTF-8", "密码文件不是 UTF-8 编码", "input-not-utf8", "Zürich-Käse-71".encode("latin-1"))
typed("password-accents-apart", "accents as signs of their own", "重音符号与字母分开书写", "input-decomposed-letters", "Zu\u0308rich-Ka\u0308se-71")
typed("password-line-separator", "the end of a line was pasted along", "粘贴时带上了换行", "input-pasted-newline", PASSWORD + "\u2028")
typed("password-control-character", "a control character got into it", "混入了控制字符", "input-control-character", "lab-\x07Quartz-71")


def maybe(name, en, zh, possible, password):
    """What was typed is unusual, but may be right: the reply counts, and this is told as possible."""
    @state(name, en, zh, DOVECOT, "wrong-password", noticed=possible)
    def build(bench):
        bench.password = password
        bench.imap()


maybe("password-non-ascii", "letters beyond English ones", "含有非英文字母", "input-non-ascii-password", "Z\u00fcrich-K\u00e4se-71")
maybe("password-phone-capital", "a capital at the beginning, as phones make", "首字母被手机自动大写", "input-first-letter-capital", "Meadowlark")
maybe("password-very-long", "longer than some servers keep", "长度超过部分服务器的上限", "input-very-long-password", "long-Password-71-" * 6)
maybe("password-shell-signs", "signs that scripts change", "含有脚本会改动的符号", "input-percent-dollar", "lab$Quartz%71!meadow")


@state("password-grouped", "four groups of four, with blanks in between", "四组四个字母，中间有空格", DOVECOT, "wrong-password",
       alternative="input-app-password-spaces")
def _(bench):
    bench.password = "abcd efgh ijkl mnop"
    bench.imap()


@state("password-quotes", "a double quote, at a server that stumbles over it", "含有双引号，服务器无法正确处理", "imap-bad-command",
       "protocol-fault", alternative="input-backslash-quote")
def _(bench):
    bench.password = 'lab"Quartz\\71'
    bench.imap(mechanisms="", replies={"LOGIN": "BAD Error in IMAP command LOGIN: Invalid arguments"})


def tokened(name, en, zh, verdict, token, **more):
    @state(name, en, zh, verdict, "token", **more)
    def build(bench):
        path = bench.folder / "token"
        path.write_text(token + "\n")
        path.chmod(0o600)
        bench.args += ["--token", str(path)]
        bench.imap(mechanisms="XOAUTH2", password="ya29.A0AfB-lab-token-0123456789")


tokened("token-is-a-password", "a password was given as the token", "把密码当作令牌", "input-password-as-token", "meadow-71")
tokened("token-with-bearer", "the token begins with the word Bearer", "令牌前带有 Bearer 一词", "input-token-prefix",
        "Bearer ya29.A0AfB-lab-token-0123456789")
tokened("token-refused", "the token has expired", "令牌已过期", "signin-token-refused", "ya29.A0AfB-another-token-9876543210")


def named(name, en, zh, verdict, user):
    @state(name, en, zh, verdict, "name-form", alternative=DOVECOT)
    def build(bench):
        bench.args += ["--user", user]
        bench.imap(users={"alice@lab.test"})


named("name-trailing-blank", "a blank behind the user name", "用户名后面有空格", "input-name-blank", "alice@lab.test ")
named("name-hidden-sign", "an invisible sign in the user name", "用户名中有不可见字符", "input-name-hidden-sign", "alice\u200b@lab.test")
named("name-cyrillic", "a letter of another alphabet in the user name", "用户名中混入外形相同的字母", "input-name-homoglyph", "\u0430lice@lab.test")


@state("address-comma", "a comma in place of the dot", "把点写成了逗号", "input-address-comma", "name-form")
def _(bench):
    bench.address, bench.password = "alice@lab,test", None
    bench.args += ["--imap", "imap.lab.test"]


@state("address-wrapped", "a name and brackets around the address", "地址外面带有姓名和尖括号", "input-address-wrapped", "name-form")
def _(bench):
    bench.address = "Alice Example <alice@lab.test>"
    bench.imap(users={"alice@lab.test"})


@state("password-empty", "the password is empty", "密码为空", "input-empty-password", "name-form")
def _(bench):
    bench.password = "  "
    bench.imap(replies={"refused": "NO [AUTHENTICATIONFAILED] Authentication failed."})


@state("token-as-password", "an OAuth2 token was given as the password", "把 OAuth2 令牌当作密码",
       "input-token-as-password", "token", alternative=DOVECOT)
def _(bench):
    bench.password = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"
    bench.imap()


@state("address-full-width-at", "the @ was typed with a Chinese input method", "@ 用中文输入法输入",
       "input-full-width-at", "name-form")
def _(bench):
    bench.address = "alice＠lab.test"
    bench.imap(users={"alice@lab.test"})


@state("address-domain-typo", "gmial.com in place of gmail.com", "把 gmail.com 写成 gmial.com", "input-domain-typo", "name-form")
def _(bench):
    bench.address, bench.password = "alice@gmial.com", None
    bench.host("imap.gmail.com")


@state("address-display-name", "the person's name in place of the user name", "用户名填成了姓名", "input-display-name", "name-form",
       alternative=DOVECOT)
def _(bench):
    bench.args += ["--user", "Alice Example"]
    bench.imap(users={"alice@lab.test"})


@state("name-needs-domain", "only the part before the @ was given, at a server that nobody knows", "只填了 @ 前面的部分（未知的服务器）",
       "dovecot-auth-failed", "wrong-password", alternative="input-username-no-domain")
def _(bench):
    bench.args += ["--user", "alice"]
    bench.imap(users={"alice@lab.test"})


@state("name-needs-domain-at-provider", "only the part before the @ was given, at a provider that wants all of it",
       "只填了 @ 前面的部分（服务商要求完整地址）", "input-username-no-domain", "name-form")
def _(bench):
    bench.address, bench.password = "alice@gmx.de", "a-Password-of-71-meadows"
    bench.args += ["--user", "alice"]
    bench.imap(host="imap.gmx.net", users={"alice@gmx.de"}, password=bench.password)


def web_password(name, address, host, refused, zh, verdict):
    @state(name, f"the web password at {address.split('@')[1]}, whose codes look different", zh,
           verdict, "app-password")
    def build(bench):
        bench.address = address
        bench.password = "my-Web-password-71"
        bench.imap(host=host, replies={"refused": refused})


web_password("qq-web-password", "10001@qq.com", "imap.qq.com", "NO [AUTHENTICATIONFAILED] Authentication failed.",
             "在 QQ 邮箱使用网页密码，形式与授权码不同", "input-web-password-for-code")
web_password("icloud-web-password", "alice@icloud.com", "imap.mail.me.com", "NO [AUTHENTICATIONFAILED] Authentication Failed",
             "在 iCloud 使用网页密码，形式与应用密码不同", "icloud-auth-failed")
