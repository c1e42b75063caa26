/* Drives one fuzz target over kept inputs, without libFuzzer: every file of the folders named, each in a buffer of
 * exactly its length so that AddressSanitizer sees the first byte read too far. A folder that does not exist holds no
 * inputs. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (1024L * 1024L) /* libFuzzer makes none that is larger */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        return 1;
    }
    long len = ftell(f);
    if (len < 0 || len > INPUT_MAX) {
        fprintf(stderr, "%s: %ld bytes, more than %ld\n", path, len, INPUT_MAX);
        fclose(f);
        return 1;
    }
    rewind(f);
    uint8_t *bytes = malloc(len > 0 ? (size_t)len : 1);
    int failed = !bytes || fread(bytes, 1, (size_t)len, f) != (size_t)len;
    if (failed)
        perror(path);
    else
        LLVMFuzzerTestOneInput(bytes, (size_t)len);
    free(bytes);
    fclose(f);
    return failed;
}

/* Returns the number of failures; adds the inputs replayed. */
static int replay_folder(const char *folder, unsigned *count)
{
    DIR *dir = opendir(folder);
    if (!dir) {
        if (errno == ENOENT)
            return 0;
        perror(folder);
        return 1;
    }
    int failed = 0;
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        int len = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (len < 0 || (size_t)len >= sizeof(path)) {
            fprintf(stderr, "%s/%s: path too long\n", folder, entry->d_name);
            failed++;
            continue;
        }
        fprintf(stderr, "%s\n", path); /* the last one named is the one that crashed */
        failed += replay_file(path);
        (*count)++;
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    unsigned count = 0;
    int failed = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        failed += replay_folder(argv[i], &count);
    printf("%u inputs replayed, %d failed\n", count, failed);
    return failed ? 1 : 0;
}
