import { checkGrammar, grammarOfCallsOnly } from './grammar.js';

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

describe('A grammar of required tool calls', () => {
  it('loses the free text before the calls, and the start that the prompt has already', () => {
    const grammar = 'a ::= "x"\nroot ::= "<|im_start|>assistant\\n" space until-160? tool-calls';
    expect(grammarOfCallsOnly(grammar, '<|im_start|>assistant\n')).toBe(
      'a ::= "x"\nroot ::= space tool-calls',
    );
  });

  it('is left alone where it has no free text, or another start than the prompt', () => {
    expect(grammarOfCallsOnly('root ::= tool-calls', '')).toBeNull();
    expect(grammarOfCallsOnly('root ::= "a" until-1? tool-calls', 'b')).toBeNull();
  });
});
