import { mergeRequirements } from './merge-requirements.js';

describe('mergeRequirements', () => {
  it('merges requirements into one that includes all of them', () => {
    expect(
      mergeRequirements([
        { capabilities: ['chat'], minContextLengthTokens: null, tiers: null },
        {
          capabilities: ['chat', 'tools'],
          minContextLengthTokens: 4096,
          tiers: ['small', 'medium'],
        },
        { capabilities: [], minContextLengthTokens: 8192, tiers: ['medium', 'large'] },
      ]),
    ).toEqual({ capabilities: ['chat', 'tools'], minContextLengthTokens: 8192, tiers: ['medium'] });
  });

  it('prefers the longest context that one of them prefers, and none where none does', () => {
    const requirement = { capabilities: [], minContextLengthTokens: 8192, tiers: null };
    const preferring = (preferredContextLengthTokens: number | null) => ({
      ...requirement,
      preferredContextLengthTokens,
    });
    expect(
      mergeRequirements([preferring(16_384), requirement, preferring(32_768), preferring(null)]),
    ).toEqual({ ...requirement, preferredContextLengthTokens: 32_768 });
    expect(mergeRequirements([requirement, preferring(null)])).toEqual(requirement);
  });

  it('keeps the tiers of the first requirement where the requirements have no tier in common', () => {
    const requirement = { capabilities: [], minContextLengthTokens: null };
    expect(
      mergeRequirements([
        { ...requirement, tiers: ['small'] },
        { ...requirement, tiers: ['large'] },
      ]).tiers,
    ).toEqual(['small']);
  });
});
