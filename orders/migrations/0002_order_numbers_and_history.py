"""What Django's models can't say: where order numbers start, and that history is append-only."""

from django.db import migrations

NUMBERS = """
ALTER TABLE orders_order ALTER COLUMN number SET START WITH 100001;
ALTER TABLE orders_order ALTER COLUMN number RESTART;
"""

APPEND_ONLY = """
CREATE FUNCTION orders_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON orders_orderevent
  FOR EACH ROW EXECUTE FUNCTION orders_refuse_change();
"""

APPENDABLE = """
DROP TRIGGER append_only ON orders_orderevent;
DROP FUNCTION orders_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [
        migrations.RunSQL(NUMBERS, migrations.RunSQL.noop),
        migrations.RunSQL(APPEND_ONLY, APPENDABLE),
    ]
