/*
 * tables.c
 *	  Which relations a source reads, and their names.
 *
 * NOTES
 *	  Names have three forms: "schema"."table" in task configurations and error
 *	  texts, schema.table in filters and offsets, and the bare table name in
 *	  topics and schemas.  All functions need a transaction.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/dbcommands.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"

#include "digest.h"
#include "jdbcsource/jdbcsource.h"

/* Kinds and order are those of the PostgreSQL JDBC driver. */
static const char list_sql[] =
"SELECT oid, nspname, relname, kind FROM ("
" SELECT c.oid, n.nspname, c.relname,"
" CASE WHEN n.nspname IN ('pg_catalog', 'information_schema')"
" THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' WHEN 'v' THEN 'SYSTEM VIEW' END"
" ELSE CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE'"
" WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'"
" WHEN 'f' THEN 'FOREIGN TABLE' END END AS kind"
" FROM pg_catalog.pg_class c"
" JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
" WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'"
" AND n.nspname NOT IN ('pg_toast', 'connect')"
" AND ($1 = '' OR n.nspname LIKE $1)) r"
" WHERE kind = ANY ($2)"
" ORDER BY kind COLLATE \"C\", nspname COLLATE \"C\", relname COLLATE \"C\"";

static bool chosen(const ConnectJdbcSettings *settings,
				   const ConnectJdbcTable *table);

List *
connect_jdbc_tables(const ConnectJdbcSettings *settings)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			types[] = {TEXTOID, TEXTARRAYOID};
	Datum		args[2];
	Datum	   *kinds;
	List	   *result = NIL;

	if (settings->catalog_pattern != NULL && *settings->catalog_pattern != '\0' &&
		strcmp(settings->catalog_pattern, get_database_name(MyDatabaseId)) != 0)
		return NIL;

	kinds = palloc(sizeof(Datum) * Max(settings->ntypes, 1));
	for (int i = 0; i < settings->ntypes; i++)
		kinds[i] = CStringGetTextDatum(asc_toupper(settings->types[i],
												   strlen(settings->types[i])));
	args[0] = CStringGetTextDatum(settings->schema_pattern ?
								  settings->schema_pattern : "");
	args[1] = PointerGetDatum(construct_array(kinds, settings->ntypes, TEXTOID,
											  -1, false, TYPALIGN_INT));
	SPI_connect();
	if (SPI_execute_with_args(list_sql, 2, types, args, NULL, true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not list tables");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		ConnectJdbcTable table;
		bool		isnull;
		MemoryContext old;

		table.relid = DatumGetObjectId(SPI_getbinval(tuple, desc, 1, &isnull));
		table.schema = SPI_getvalue(tuple, desc, 2);
		table.name = SPI_getvalue(tuple, desc, 3);
		if (!settings->qualify)
		{
			bool		known = false;
			ListCell   *lc;

			foreach(lc, result)
				known |= strcmp(((ConnectJdbcTable *) lfirst(lc))->name,
								table.name) == 0;
			if (known)
				continue;
		}
		if (!chosen(settings, &table))
			continue;
		old = MemoryContextSwitchTo(caller);
		{
			ConnectJdbcTable *copy = palloc(sizeof(ConnectJdbcTable));

			copy->relid = table.relid;
			copy->schema = settings->qualify ? pstrdup(table.schema) : NULL;
			copy->name = pstrdup(table.name);
			result = lappend(result, copy);
		}
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	return result;
}

/* Full name, quoted or not, or bare name. */
static bool
listed(char **list, int n, const ConnectJdbcTable *table)
{
	char	   *dotted = connect_jdbc_table_dotted(table);
	char	   *quoted = connect_jdbc_table_quoted(table, true);

	for (int i = 0; i < n; i++)
	{
		if (strcmp(list[i], table->name) == 0 ||
			strcmp(list[i], dotted) == 0 || strcmp(list[i], quoted) == 0)
			return true;
	}
	return false;
}

static bool
matched(char **patterns, int n, const ConnectJdbcTable *table)
{
	char	   *dotted = connect_jdbc_table_dotted(table);

	for (int i = 0; i < n; i++)
	{
		if (connect_jdbc_matches(patterns[i], dotted))
			return true;
	}
	return false;
}

static bool
chosen(const ConnectJdbcSettings *settings, const ConnectJdbcTable *table)
{
	if (settings->nwhitelist > 0 &&
		!listed(settings->whitelist, settings->nwhitelist, table))
		return false;
	if (listed(settings->blacklist, settings->nblacklist, table))
		return false;
	if (settings->ninclude > 0 &&
		!matched(settings->include, settings->ninclude, table))
		return false;
	return !matched(settings->exclude, settings->nexclude, table);
}

/* The topic is made of the bare name: two of a name would be mixed in it. */
void
connect_jdbc_tables_check(List *tables)
{
	ListCell   *lc;
	ListCell   *other;

	foreach(lc, tables)
	{
		ConnectJdbcTable *table = lfirst(lc);

		foreach(other, tables)
		{
			ConnectJdbcTable *twin = lfirst(other);

			if (twin != table && strcmp(twin->name, table->name) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_AMBIGUOUS_ALIAS),
						 errmsg("the connector uses the unqualified table name as the topic name and has detected duplicate unqualified table names"),
						 errdetail("Both %s and %s are to be read.",
								   connect_jdbc_table_quoted(table, true),
								   connect_jdbc_table_quoted(twin, true)),
						 errhint("Narrow the choice by schema.pattern, or by schema.table in a filter.")));
		}
	}
}

static void
append_identifier(StringInfo buf, const char *name, bool quote)
{
	/* Without quotes only what can be read back without them. */
	if (!quote && strpbrk(name, "\",. ") == NULL)
	{
		appendStringInfoString(buf, name);
		return;
	}
	appendStringInfoChar(buf, '"');
	for (const char *p = name; *p != '\0'; p++)
	{
		if (*p == '"')
			appendStringInfoChar(buf, '"');
		appendStringInfoChar(buf, *p);
	}
	appendStringInfoChar(buf, '"');
}

char *
connect_jdbc_table_quoted(const ConnectJdbcTable *table, bool quote)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (table->schema != NULL)
	{
		append_identifier(&buf, table->schema, quote);
		appendStringInfoChar(&buf, '.');
	}
	append_identifier(&buf, table->name, quote);
	return buf.data;
}

char *
connect_jdbc_table_dotted(const ConnectJdbcTable *table)
{
	if (table->schema == NULL)
		return pstrdup(table->name);
	return psprintf("%s.%s", table->schema, table->name);
}

/* One identifier, quoted or not; *p goes behind it. */
static char *
parse_identifier(const char **p)
{
	StringInfoData buf;

	initStringInfo(&buf);
	if (**p != '"')
	{
		size_t		len = strcspn(*p, ".,");

		appendBinaryStringInfo(&buf, *p, len);
		*p += len;
		return buf.data;
	}
	for ((*p)++; **p != '\0'; (*p)++)
	{
		if (**p == '"')
		{
			(*p)++;
			if (**p != '"')
				break;
		}
		appendStringInfoChar(&buf, **p);
	}
	return buf.data;
}

List *
connect_jdbc_tables_parse(const char *value)
{
	List	   *result = NIL;
	const char *p = value;

	while (*p != '\0')
	{
		ConnectJdbcTable *table = palloc0(sizeof(ConnectJdbcTable));

		table->name = parse_identifier(&p);
		if (*p == '.')
		{
			p++;
			table->schema = table->name;
			table->name = parse_identifier(&p);
		}
		result = lappend(result, table);
		p += strspn(p, ", ");
	}
	return result;
}

/*
 * An unqualified name is looked for where its role would find it by default:
 * in the schema of its own name and in public; else anywhere.
 */
Oid
connect_jdbc_table_lookup(const ConnectJdbcTable *table)
{
	const char *schemas[] = {table->schema,
	GetUserNameFromId(GetUserId(), false), "public"};
	int			n = table->schema != NULL ? 1 : lengthof(schemas);
	Oid			result = InvalidOid;

	for (int i = table->schema != NULL ? 0 : 1; i < n; i++)
	{
		Oid			schema = get_namespace_oid(schemas[i], true);

		if (OidIsValid(schema))
			result = get_relname_relid(table->name, schema);
		if (OidIsValid(result) || table->schema != NULL)
			return result;
	}

	SPI_connect();
	{
		Oid			types[] = {NAMEOID};
		Datum		args[] = {CStringGetDatum(table->name)};
		NameData	name;
		bool		isnull;

		namestrcpy(&name, table->name);
		args[0] = NameGetDatum(&name);
		SPI_execute_with_args("SELECT c.oid FROM pg_catalog.pg_class c"
							  " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
							  " WHERE c.relname = $1 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
							  " AND NOT pg_catalog.starts_with(n.nspname::pg_catalog.text, 'pg_')"
							  " ORDER BY n.nspname",
							  1, types, args, NULL, true, 1);
		if (SPI_processed > 0)
			result = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
													SPI_tuptable->tupdesc, 1,
													&isnull));
	}
	SPI_finish();
	return result;
}

char *
connect_jdbc_tables_digest(List *tables)
{
	List	   *names = NIL;
	ListCell   *lc;

	foreach(lc, tables)
		names = lappend(names, connect_jdbc_table_quoted(lfirst(lc), true));
	return connect_digest(names);
}
