/** Takes a message to systemd, now or soon, in order, without waiting. One that may be lost is not kept. */
export type Transport = (text: string, options: { readonly mayBeLost: boolean }) => void
