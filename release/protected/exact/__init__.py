"""Exact tables: from true counts through rules, protection, certificate and check to tables that may leave."""
