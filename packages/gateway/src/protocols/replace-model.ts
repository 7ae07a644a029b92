/** stub until merge */
export function replaceModel(body: Buffer, model: string): Buffer {
  return Buffer.from(JSON.stringify({ ...JSON.parse(body.toString('utf8')), model }));
}
