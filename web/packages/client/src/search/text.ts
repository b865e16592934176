// What a text is taken apart into: words of any script, without case, accents and width. The same as
// protocol/src/search/text.rs; docs/schema/search-vectors.json is the test of both.

/** Characters of a token; what a longer word has beyond them makes no difference. */
const TOKEN_MAX_CHARS = 64;

/** Letters that have no decomposition and are written otherwise where they are lacking. */
const SPELLED: Record<string, string> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ł: "l",
  þ: "th",
  ı: "i",
  ς: "σ",
};

/** Characters that are tokens by themselves: Han, kana, Bopomofo, Thai, Lao, Myanmar, Khmer. */
const STANDS_ALONE =
  /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u{20000}-\u{3ffff}]/u;

/** Characters that change nothing: diacritics, joiners, soft hyphens, variation selectors. */
const PASSED_OVER = /[\u0300-\u036f]|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]|\u00ad|\u200c|\u200d/u;

const MARK = /\p{M}/u;
const ALPHANUMERIC = /[\p{Alphabetic}\p{N}]/u;
const ASCII_WORD = /[a-z0-9]/;
const ASCII = /^[\0-\x7f]*$/;

/** The tokens of a text, in order. */
export function tokensOf(text: string): string[] {
  // Most texts; what the loop below does to each of their characters.
  if (ASCII.test(text)) {
    const words = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
    return words.map((word) => word.slice(0, TOKEN_MAX_CHARS));
  }
  const tokens: string[] = [];
  let token = "";
  let chars = 0;
  let alone = false;
  const push = (char: string) => {
    if (chars >= TOKEN_MAX_CHARS) return;
    token += char;
    chars += 1;
  };
  const end = () => {
    if (token !== "") tokens.push(token);
    token = "";
    chars = 0;
    alone = false;
  };
  const add = (char: string) => {
    if (alone) end();
    push(char);
  };
  const take = (char: string) => {
    const passed = PASSED_OVER.test(char);
    if (passed || MARK.test(char)) {
      if (token !== "" && !passed) push(char);
      return;
    }
    const spelled = SPELLED[char];
    if (spelled) {
      for (const letter of spelled) add(letter);
    } else if (!ALPHANUMERIC.test(char)) {
      end();
    } else if (STANDS_ALONE.test(char)) {
      end();
      add(char);
      alone = true;
    } else {
      add(char);
    }
  };
  for (const char of text) {
    if (char <= "\x7f") {
      const lower = char.toLowerCase();
      if (ASCII_WORD.test(lower)) add(lower);
      else end();
      continue;
    }
    for (const part of char.normalize("NFKD")) for (const lower of part.toLowerCase()) take(lower);
  }
  end();
  return tokens;
}

/** Tokens that must stand one after another. */
export class Phrase {
  private constructor(
    private readonly tokens: readonly string[],
    /** Whether the last one may go on. */
    private readonly begins: boolean,
  ) {}

  /** The tokens of a text; `undefined` where it has none. */
  static of(text: string, begins: boolean): Phrase | undefined {
    const tokens = tokensOf(text);
    return tokens.length > 0 ? new Phrase(tokens, begins) : undefined;
  }

  /** Whether it stands in a text, which is given as its tokens. */
  isIn(text: readonly string[]): boolean {
    const { length } = this.tokens;
    for (let from = 0; from + length <= text.length; from++) {
      if (this.tokens.every((_, at) => this.takes(at, text[from + at] ?? ""))) return true;
    }
    return false;
  }

  private takes(at: number, token: string): boolean {
    const wanted = this.tokens[at] ?? "";
    const isLast = at + 1 === this.tokens.length;
    return token === wanted || (this.begins && isLast && token.startsWith(wanted));
  }
}
