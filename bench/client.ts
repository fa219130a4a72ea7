import { Agent, request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { featuresOf, globalFeatures, tokenOf, userCount } from "./data.ts";
import { interrupted } from "./interruption.ts";

type Answer = { readonly status: number; readonly headers: NodeJS.Dict<string | string[]>; readonly body: string };
type Headers = Readonly<Record<string, string>>;

/** How a token is sent. */
export const bearer = (token: string): Headers => ({ Authorization: `Bearer ${token}` });
export const basic = (token: string): Headers => ({ Authorization: `Basic ${btoa(`:${token}`)}` });

/** A client with persistent connections, up to the given number. */
export class Client implements Disposable {
  readonly #agent: Agent;
  readonly #connections: number;

  constructor(connections = 32) {
    this.#connections = connections;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /** Sends a GET, or a POST if there is a body. */
  ask(url: string, headers: Headers = {}, sent?: string): Promise<Answer> {
    const method = sent === undefined ? "GET" : "POST";
    return new Promise((resolve, reject) => {
      request(url, { method, agent: this.#agent, headers, signal: interrupted }, (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (text) => {
          body += text;
        });
        response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        response.on("error", reject);
      })
        .on("error", reject)
        .end(sent);
    });
  }

  /**
   * Requests the features of each user once, on all connections, and passes each response to a callback. Retries 503
   * soon.
   */
  async askForEach(url: string, users: number, take: (user: number, answer: Answer) => void = () => {}): Promise<void> {
    let next = 0;
    const connection = async () => {
      for (let user = next++; user < users; user = next++) {
        let answer = await this.ask(url, bearer(tokenOf(user)));
        for (let again = 0; answer.status === 503 && again < 10; again++) {
          await setTimeout(100);
          answer = await this.ask(url, bearer(tokenOf(user)));
        }
        if (answer.status !== 200) throw new Error(`user ${user} was answered ${answer.status}: ${answer.body}`);
        take(user, answer);
      }
    };
    await Promise.all(Array.from({ length: this.#connections }, connection));
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

const checkedUsers = 20;

/** The expected responses of a server. */
export type Expectation = {
  /** The number of users. */
  readonly users?: number;
  readonly credentials?: (token: string) => Headers;
  /** Checks of a user's response besides the features. Returns the fault. */
  readonly also?: (answer: Answer) => string | undefined;
  /** The status for an unknown token. */
  readonly unknownStatus?: number;
};

/** Rejects unless a server responds correctly to 20 users, an anonymous caller and an unknown token. */
export async function checkAnswers(
  url: string,
  { users = userCount, credentials = bearer, also = () => undefined, unknownStatus = 401 }: Expectation = {},
): Promise<void> {
  using client = new Client();
  const check = async (who: string, headers: Headers, wanted: readonly string[]): Promise<void> => {
    const answer = await client.ask(url, headers);
    const fault = answer.status !== 200 ? "the status" : (wrongFeatures(answer.body, wanted) ?? also(answer));
    if (fault) throw new Error(`${url} answers ${who} wrongly, ${fault}: ${answer.status} ${answer.body}`);
  };
  for (let index = 0; index < checkedUsers; index++) {
    const user = Math.floor((index * users) / checkedUsers);
    await check(`user ${user}`, credentials(tokenOf(user)), featuresOf(user));
  }
  await check("an anonymous caller", {}, [...globalFeatures].sort());
  const { status } = await client.ask(url, credentials("of-nobody"));
  if (status !== unknownStatus) throw new Error(`${url} answers an unknown token ${status}, not ${unknownStatus}`);
}

function wrongFeatures(body: string, wanted: readonly string[]): string | undefined {
  const { active_features: features } = JSON.parse(body) as { active_features: string[] };
  return JSON.stringify(features.sort()) === JSON.stringify(wanted) ? undefined : "the features";
}
