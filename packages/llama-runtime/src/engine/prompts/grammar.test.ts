import { checkGrammar, answerGrammar } from './grammar.js';

describe('A grammar that llama.cpp would end the process for', () => {
  it.each([
    ['root ::= char{0,1999}', true],
    ['root ::= char{0,2000}', false],
    ['root ::= char{2000,}', false],
    ['root ::= (a{0,50}){40}', false],
    ['root ::= (a{0,50}){10}', true],
    ['root ::= (a{0,50} b{0,50}){30}', false],
    ['root ::= "{9999}" [{9999}] a', true],
    ['root ::= a\na ::= b{3000}', false],
  ])('%s is accepted: %s', (grammar, isAccepted) => {
    const check = (): void => checkGrammar(grammar, 'response_format');
    if (isAccepted) expect(check).not.toThrow();
    else expect(check).toThrow(/'response_format' has more repetitions/);
  });
});

describe('The grammar of an answer', () => {
  const START = '<|im_start|>assistant\n';
  const ROOT = 'root ::= "<|im_start|>assistant\\n" space';

  it('loses the start that the prompt has already', () => {
    const grammar = `a ::= "x"\n${ROOT} response-format`;
    expect(answerGrammar(grammar, START, { callsOnly: false })).toBe(
      'a ::= "x"\nroot ::= space response-format',
    );
  });

  it.each([
    ['until-160? tool-calls', 'tool-calls'],
    ['until-96 space tool-call-root', 'tool-call-root'],
    ['(until-7)? tool-call', 'tool-call'],
  ])('of required calls loses the free text before them: %s', (rest, calls) => {
    expect(answerGrammar(`${ROOT} ${rest}`, START, { callsOnly: true })).toBe(
      `root ::= space ${calls}`,
    );
  });

  it('is llama.cpp’s own where there is nothing to take away, or another start than the prompt', () => {
    expect(answerGrammar('root ::= tool-calls', '', { callsOnly: true })).toBeNull();
    expect(answerGrammar('root ::= "a" until-1? tool-calls', 'b', { callsOnly: true })).toBeNull();
    expect(answerGrammar('', '', { callsOnly: false })).toBeNull();
  });
});
