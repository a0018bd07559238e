/** The runtime that is packed: the Deno that runs this, and the one library that is not glibc's. */

const LIBRARY = "libgcc_s.so.1";

/** Folders of libraries of Debian, Fedora, Arch and their kin. */
const LIBRARY_FOLDERS: readonly string[] = [
  `/lib/${Deno.build.arch}-linux-gnu`,
  `/usr/lib/${Deno.build.arch}-linux-gnu`,
  "/lib64",
  "/usr/lib64",
  "/usr/lib",
];

/** The bytes of Deno itself. `/proc/self/exe` and not the path: npm starts it through a script. */
export async function runtimeBytes(): Promise<Uint8Array> {
  return await Deno.readFile("/proc/self/exe");
}

/** `libgcc_s`, which Deno needs beside glibc and which small systems lack. */
export async function libgcc(): Promise<{ readonly name: string; readonly bytes: Uint8Array }> {
  for (const folder of LIBRARY_FOLDERS) {
    try {
      return { name: LIBRARY, bytes: await Deno.readFile(`${folder}/${LIBRARY}`) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  throw new Error(`${LIBRARY} is in none of ${LIBRARY_FOLDERS.join(", ")}: install libgcc`);
}
