import { Agent, get } from "node:http";
import { setTimeout } from "node:timers/promises";

/** Requests features every few milliseconds: over kept connections, and over one for each request. */
export class Load implements AsyncDisposable {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #callers: readonly Promise<void>[];
  #ending = false;
  /** The responses of each caller: the bodies of 200, and the failures. */
  readonly answers: readonly string[][];

  constructor(url: string, kept: number, fresh: number) {
    this.answers = Array.from({ length: kept + fresh }, () => []);
    this.#callers = this.answers.map((answers, caller) => this.#call(url, caller < kept, answers));
  }

  /** The last response of each caller. */
  get latest(): readonly (string | undefined)[] {
    return this.answers.map((answers) => answers.at(-1));
  }

  async #call(url: string, keep: boolean, answers: string[]): Promise<void> {
    while (!this.#ending) {
      answers.push(await answerOf(`${url}/features`, keep ? this.#agent : new Agent()));
      await setTimeout(5);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending = true;
    await Promise.all(this.#callers);
    this.#agent.destroy();
  }
}

const answerOf = (url: string, agent: Agent): Promise<string> =>
  new Promise((resolve) => {
    const request = get(url, { agent }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      response.on("end", () => resolve(response.statusCode === 200 ? body : `${response.statusCode} ${body}`));
    });
    request.on("error", ({ message }) => resolve(message));
  });
