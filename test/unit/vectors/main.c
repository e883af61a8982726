/*
 * main.c
 *	  Replays recorded cases through the real code.
 *
 * NOTES
 *	  Arguments are files of JSON lines, whose formats test/vectors/README.md
 *	  describes.  Prints each difference; the last line counts.
 */
#include "pure.h"

#include "convert/json_read.h"
#include "vectors.h"

bool
vector_differs(const VectorLine *line, const char *what,
			   const char *expected, const char *found)
{
	printf("%s: %s differs\n  expected: %s\n  found:    %s\n",
		   line->id, what, expected ? expected : "null",
		   found ? found : "null");
	return false;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool
vector_check_error(const VectorLine *line, const char *stage,
				   const ConnectError *err)
{
	const ConnectValue *expected = vector_member(line->node, "error");
	const ConnectValue *cause;
	const char *cause_class = NULL;
	const char *cause_message = NULL;

	if (expected == NULL)
		return err == NULL || vector_differs(line, "error", "none",
											 psprintf("%s: %s", err->class_name,
													  err->message));
	if (err == NULL)
		return vector_differs(line, "error",
							  vector_text(expected, "message"), "none");
	cause = vector_member(expected, "cause");
	if (cause != NULL && cause->kind == CONNECT_KIND_MAP)
	{
		cause_class = vector_text(cause, "class");
		cause_message = vector_text(cause, "message");
	}
	if (!same_text(vector_text(expected, "stage"), stage))
		return vector_differs(line, "stage of error",
							  vector_text(expected, "stage"), stage);
	if (!same_text(vector_text(expected, "class"), err->class_name))
		return vector_differs(line, "class of error",
							  vector_text(expected, "class"), err->class_name);
	if (!same_text(vector_text(expected, "message"), err->message))
		return vector_differs(line, "message of error",
							  vector_text(expected, "message"), err->message);
	if (!same_text(cause_class, err->cause_class))
		return vector_differs(line, "class of cause", cause_class,
							  err->cause_class);
	if (!same_text(cause_message, err->cause_message))
		return vector_differs(line, "message of cause", cause_message,
							  err->cause_message);
	return true;
}

static bool
run_line(const VectorLine *line)
{
	if (vector_member(line->node, "converter") != NULL)
		return vector_run_converter(line);
	return vector_differs(line, "format", "converter",
						  "a case that this program cannot replay");
}

static char *
read_line(FILE *file, int *len)
{
	char	   *line = NULL;
	size_t		size = 0;
	ssize_t		n = getline(&line, &size, file);

	if (n < 0)
	{
		free(line);
		return NULL;
	}
	*len = n;
	return line;
}

int
main(int argc, char **argv)
{
	int			passed = 0;
	int			failed = 0;

	for (int i = 1; i < argc; i++)
	{
		FILE	   *file = fopen(argv[i], "r");
		char	   *text;
		int			len;
		int			number = 0;

		if (file == NULL)
		{
			fprintf(stderr, "cannot open \"%s\": %s\n", argv[i],
					strerror(errno));
			return 1;
		}
		while ((text = read_line(file, &len)) != NULL)
		{
			ConnectJsonReader reader;
			ConnectValue node;
			ConnectError err = {0};
			VectorLine	line;
			bool		missing;

			number++;
			connect_json_reader_init(&reader, text, len,
									 CONNECT_JSON_NUMBER_TEXT, &err);
			if (!connect_json_read(&reader, &node, &missing))
			{
				printf("%s:%d: %s\n", argv[i], number, err.cause_message);
				failed++;
				continue;
			}
			if (missing)
				continue;
			line.node = &node;
			line.id = vector_text(&node, "id");
			if (line.id == NULL)
				line.id = psprintf("%s:%d", argv[i], number);
			if (run_line(&line))
				passed++;
			else
				failed++;
			/* the line's text stays: cells point into it */
		}
		fclose(file);
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed > 0;
}
